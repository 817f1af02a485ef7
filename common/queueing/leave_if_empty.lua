-- After a delivery: an empty queue leaves the hot set; one with more goes to the end of the line.
-- KEYS[1] hot set of the lane   KEYS[2] the customer's queue   ARGV[1] customer   ARGV[2] now, unix seconds
-- Both looks happen at once, so a message that is pushed meanwhile is never left behind unseen.
if redis.call('LLEN', KEYS[2]) == 0 then
  return redis.call('ZREM', KEYS[1], ARGV[1])
end
if tonumber(redis.call('ZSCORE', KEYS[1], ARGV[1]) or '0') <= tonumber(ARGV[2]) then
  redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1])
end
return 0
