-- Make a customer hot, and wake a worker that waits.
-- KEYS[1] hot set of the lane   KEYS[2] bell of the lane   ARGV[1] customer   ARGV[2] "1": whatever parking is noted here
-- An earlier turn is kept. A parking is kept too, unless the caller knows better, who has asked PostgreSQL.
local BELLS, BELL_SECONDS = 32, 2
local clock = redis.call('TIME')
local now = tonumber(clock[1]) + tonumber(clock[2]) / 1000000
local score = tonumber(redis.call('ZSCORE', KEYS[1], ARGV[1]) or '')
if not score or (ARGV[2] == '1' and score > now) then
  score = now
  redis.call('ZADD', KEYS[1], string.format('%.6f', now), ARGV[1])
end
if score <= now then
  -- A busy worker needs no bell, so old ones are dropped; one that waits takes one and serves until nothing is left.
  redis.call('LPUSH', KEYS[2], '1')
  redis.call('LTRIM', KEYS[2], 0, BELLS - 1)
  redis.call('EXPIRE', KEYS[2], BELL_SECONDS)
end
return 0
