-- Adopt what an answer's headers said of the limit.
--
-- KEYS[1]  as in acquire.lua
-- ARGV     our part of the limit ("" if not told), requests used in the system's own count ("" if not told), window ms, buckets
--
-- The usage is taken over only by a budget that was closed: it has no count of its own, and the system has.
local key = KEYS[1]
if ARGV[1] ~= '' then redis.call('HSET', key, 'limit', ARGV[1]) end
if ARGV[2] == '' or redis.call('HEXISTS', key, 'closed_until') == 0 then return 0 end
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local current = math.floor(now / (tonumber(ARGV[3]) / tonumber(ARGV[4])))
local fields = redis.call('HKEYS', key)
for _, field in ipairs(fields) do
  if string.sub(field, 1, 2) == 'b:' then redis.call('HDEL', key, field) end
end
redis.call('HDEL', key, 'closed_until', 'probed_at')
redis.call('HSET', key, 'b:' .. current, ARGV[2])
return 1
