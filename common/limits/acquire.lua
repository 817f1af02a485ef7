-- Take one request from a sliding window, or say when one may be free.
--
-- KEYS[1]  hash: limit, opened, closed_until, probed_at, and one counter per bucket ("b:<number>")
-- ARGV     default limit, window ms, buckets, fraction of the limit this caller may fill, what the caller knows
--          ("ask": nothing, "first": never used before, "lost": used before, so the count was forgotten),
--          "1" if one request may probe a closed budget because the answer's headers will tell the truth
-- returns  {0, 0} taken   {1, ms} not before that moment (unix ms)   {2, 0} unknown: ask the durable side, call again
--
-- A window is covered by (buckets + 2) buckets: the running one, the one it is cut by, and one for the time between
-- taking the request here and its arrival there. So no window of the length promised ever holds more than the limit.
local key = KEYS[1]
local window = tonumber(ARGV[2])
local buckets = tonumber(ARGV[3])
local knows = ARGV[5]
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local width = window / buckets
local current = math.floor(now / width)
local oldest = current - buckets - 1

if redis.call('EXISTS', key) == 0 then
  if knows == 'ask' then return {2, 0} end
  redis.call('HSET', key, 'opened', now)
  if knows == 'lost' then redis.call('HSET', key, 'closed_until', now + window + 2 * width) end
elseif knows == 'first' then
  redis.call('HDEL', key, 'closed_until')
end

local closed = tonumber(redis.call('HGET', key, 'closed_until') or '0')
if closed > now then
  local PROBE_EVERY_MS = 5000
  local probe_at = tonumber(redis.call('HGET', key, 'probed_at') or '0') + PROBE_EVERY_MS
  if ARGV[6] ~= '1' then return {1, closed} end
  if probe_at > now then return {1, math.min(probe_at, closed)} end
  redis.call('HSET', key, 'probed_at', now)
  redis.call('HINCRBY', key, 'b:' .. current, 1)
  return {0, 0}
end

local limit = tonumber(redis.call('HGET', key, 'limit') or ARGV[1])
local used, first = 0, current
local fields = redis.call('HGETALL', key)
for i = 1, #fields, 2 do
  if string.sub(fields[i], 1, 2) == 'b:' then
    local bucket = tonumber(string.sub(fields[i], 3))
    if bucket < oldest then
      redis.call('HDEL', key, fields[i])
    else
      used = used + tonumber(fields[i + 1])
      if bucket < first then first = bucket end
    end
  end
end

if used + 1 > math.max(1, math.floor(limit * tonumber(ARGV[4]))) then
  return {1, math.ceil((first + buckets + 2) * width)}
end
redis.call('HINCRBY', key, 'b:' .. current, 1)
return {0, 0}
