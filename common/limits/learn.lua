-- Adopt what an answer's headers said of the limit.
--
-- KEYS[1]  as in acquire.lua
-- ARGV     our part of the limit, requests used in the system's own count ("" if not told), window ms, buckets
-- returns  1 if the usage was taken over
--
-- That happens only to a budget that is closed: it has no count of its own, and the system has.
local key = KEYS[1]
redis.call('HSET', key, 'limit', ARGV[1])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if ARGV[2] == '' or tonumber(redis.call('HGET', key, 'closed_until') or '0') <= now then return 0 end
local current = math.floor(now / (tonumber(ARGV[3]) / tonumber(ARGV[4])))
for _, field in ipairs(redis.call('HKEYS', key)) do
  if string.sub(field, 1, 2) == 'b:' then redis.call('HDEL', key, field) end
end
redis.call('HDEL', key, 'closed_until', 'probed_at')
redis.call('HSET', key, 'b:' .. current, ARGV[2])
return 1
