-- Take one request from a sliding window, or say how long to wait.
--
-- KEYS[1]  hash of the budget: limit; opened; latest and step: when it was last used, by the clock of which mark;
--          closed_until: its count is lost; told_until, told_wait and told_step: what the system said to wait;
--          probed_at; and one counter per bucket ("b:<number>")
-- KEYS[2]  hash of throttles, by "<system>:" (all lanes) and "<system>:<lane>"; absent: 1
-- KEYS[3]  mark: when this server's clock was last stepped (unix ms, by the clock after the step); absent: never
-- KEYS[4]  run id of the server whose counts these are
-- ARGV     default limit, window ms, buckets, share of the limit this caller may fill, what the caller knows
--          ("ask": nothing, "first": never used before, "lost": used before, so the count was forgotten),
--          "1" if one request may probe a closed budget because the answer's headers will tell the truth,
--          system, lane ("" if not known), ms until a caller is to ask again where only a throttle is in its way,
--          "since <mark>" if the caller saw this clock stepped since that mark, else ""
-- returns  {outcome, ms to wait, this clock in ms, mark}; outcome 0: taken, 1: not before that wait is over,
--          2: unknown; ask the durable side and call again
--
-- A window is covered by (buckets + 2) buckets: the running one, the one it is cut by, and one for the time between
-- taking the request here and its arrival there. So no window of the length promised ever holds more than the limit.
local TAKEN, LATER, UNKNOWN = 0, 1, 2
local PROBE_EVERY_MS = 5000
-- Farther back than servers are slewed while a request is under way; less than that is waited for.
local STEPPED_BACK_MS = 500

local key = KEYS[1]
local window, buckets, knows = tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[5]
local width = window / buckets
local span = window + 2 * width
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

-- Another server than the one that counted (it was restarted, or a replica took over) may lack the last of its counts,
-- and nobody knows how many: as if its clock had been stepped. Without a run id nothing can be told.
local info = redis.pcall('INFO', 'server')
local server = type(info) == 'string' and string.match(info, 'run_id:(%x+)') or false
local counted_by = redis.call('GET', KEYS[4])
if server and server ~= counted_by then
  redis.call('SET', KEYS[4], server)
  if counted_by then redis.call('SET', KEYS[3], string.format('%.0f', now)) end
end

-- One caller's word is enough, and the first one's counts: the others compare marks, and see that it is known.
local mark = redis.call('GET', KEYS[3]) or ''
if ARGV[10] == 'since ' .. mark then
  mark = string.format('%.0f', now)
  redis.call('SET', KEYS[3], mark)
end
local clock = now
local function answer(outcome, wait) return {outcome, math.ceil(wait), clock, mark} end

local state, counts = {}, {}
local fields = redis.call('HGETALL', key)
for i = 1, #fields, 2 do
  local bucket = string.match(fields[i], '^b:(%d+)$')
  if bucket then counts[tonumber(bucket)] = tonumber(fields[i + 1]) else state[fields[i]] = fields[i + 1] end
end
local closed, told = tonumber(state.closed_until or '0'), tonumber(state.told_until or '0')
local latest = tonumber(state.latest or '0')

-- A hash without `opened` holds what answers told, and no count that could be trusted.
if not state.opened and knows == 'ask' then return answer(UNKNOWN, 0) end
local step, told_step = state.step or mark, state.told_step or mark
local stepped_back = now < latest - STEPPED_BACK_MS
local since = math.min(now, not stepped_back and tonumber(mark) or now)
if told_step ~= mark or stepped_back then
  -- How much of the wait is over is not known, and it may seem to be over: the whole of it begins again.
  told = since + tonumber(state.told_wait or '0')
end
if step ~= mark or stepped_back then
  -- The counts were made by another clock, so nobody knows how old they are: like forgotten ones.
  for bucket in pairs(counts) do redis.call('HDEL', key, 'b:' .. bucket) end
  counts, closed, latest = {}, since + span, 0
  redis.call('HDEL', key, 'probed_at')
  state.probed_at = nil
elseif state.opened and knows == 'first' then
  closed = 0
end
if not state.opened then
  redis.call('HSET', key, 'opened', now)
  closed = knows == 'lost' and now + span or 0
end
now = math.max(now, latest)
redis.call(
  'HSET', key, 'latest', now, 'step', mark, 'closed_until', closed,
  'told_until', told, 'told_wait', state.told_wait or '0', 'told_step', mark
)
if told > now then return answer(LATER, told - now) end

local throttles = redis.call('HMGET', KEYS[2], ARGV[7] .. ':', ARGV[7] .. ':' .. ARGV[8])
local throttle = tonumber(throttles[1] or '1')
if ARGV[8] ~= '' then throttle = throttle * tonumber(throttles[2] or '1') end
if throttle <= 0 then return answer(LATER, tonumber(ARGV[9])) end

local current = math.floor(now / width)
if closed > now then
  local probe_at = tonumber(state.probed_at or '0') + PROBE_EVERY_MS
  if ARGV[6] ~= '1' then return answer(LATER, closed - now) end
  if probe_at > now then return answer(LATER, math.min(probe_at, closed) - now) end
  redis.call('HSET', key, 'probed_at', now)
  redis.call('HINCRBY', key, 'b:' .. current, 1)
  return answer(TAKEN, 0)
end

local used, oldest = 0, current - buckets - 1
for bucket, count in pairs(counts) do
  if bucket < oldest then redis.call('HDEL', key, 'b:' .. bucket) else used = used + count end
end
local limit = tonumber(state.limit or ARGV[1])
-- The least part of a request is added, for 100 * 0.29 is 28.999999999999996.
local function allowance(fraction) return math.max(1, math.floor(limit * tonumber(ARGV[4]) * fraction + 1e-9)) end
if used < allowance(throttle) then
  redis.call('HINCRBY', key, 'b:' .. current, 1)
  return answer(TAKEN, 0)
end

-- So many must leave the window first, the oldest before the others.
local excess, free = used + 1 - allowance(throttle), current
for bucket = oldest, current do
  excess = excess - (counts[bucket] or 0)
  if excess <= 0 then free = bucket break end
end
local wait = (free + buckets + 2) * width - now
if used < allowance(1) then wait = math.min(wait, tonumber(ARGV[9])) end
return answer(LATER, wait)
