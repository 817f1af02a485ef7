-- Take the next delivery in turn.
--
-- KEYS[1]  unacked_index   KEYS[2]  unacked (both are kombu's)   KEYS[3]  list for what nobody can read
-- KEYS[4..] the hot sets of the lanes served: customer by the unix seconds of its last turn, or of when it may be served
-- ARGV[1]  prefix of customers' queues   ARGV[2]  number of lanes   then a weight per lane, then the customers to pass by
-- returns  {message, queue, lane number} or {false, milliseconds until there may be one, "1" if somebody was passed by}
--
-- Pop, note as unacknowledged, and move to the end of the line, all at once: a worker killed at any instruction leaves
-- the message in one of both places, and two workers never serve the same turn.
local PAGE, MOST = 20, 500
local prefix, lanes = ARGV[1], tonumber(ARGV[2])
local clock = redis.call('TIME')
local now = tonumber(clock[1]) + tonumber(clock[2]) / 1000000
local now_text = string.format('%.6f', now)
local passed_by, someone_passed = {}, '0'
for i = 3 + lanes, #ARGV do passed_by[ARGV[i]] = true end

-- The head of a lane: the longest waiting that is eligible, not passed by, and has a message. Those without leave.
local looked_at = 0
local function head(key)
  local skipped = 0
  while looked_at < MOST do
    local rows = redis.call('ZRANGEBYSCORE', key, '-inf', now_text, 'WITHSCORES', 'LIMIT', skipped, PAGE)
    if #rows == 0 then return nil end
    for i = 1, #rows, 2 do
      looked_at = looked_at + 1
      if passed_by[rows[i]] then
        skipped, someone_passed = skipped + 1, '1'
      elseif redis.call('LLEN', prefix .. rows[i]) > 0 then
        return rows[i], tonumber(rows[i + 1])
      else
        redis.call('ZREM', key, rows[i])
      end
    end
  end
  return nil
end

local function tag_of(item)
  local readable, message = pcall(cjson.decode, item)
  if not readable or type(message) ~= 'table' or type(message.properties) ~= 'table' then return nil end
  return message.properties.delivery_tag
end

local best, best_lane, best_wait = nil, nil, -1
for lane = 1, lanes do
  local customer, since = head(KEYS[3 + lane])
  -- Waiting counts for as much as the lane weighs: under load, turns come in proportion to the weights.
  if customer and (now - since) * tonumber(ARGV[2 + lane]) > best_wait then
    best, best_lane, best_wait = customer, lane, (now - since) * tonumber(ARGV[2 + lane])
  end
end

if best then
  local key, queue = KEYS[3 + best_lane], prefix .. best
  local item = redis.call('RPOP', queue)
  if redis.call('LLEN', queue) == 0 then
    redis.call('ZREM', key, best)
  else
    redis.call('ZADD', key, now_text, best)
  end
  local tag = tag_of(item)
  if type(tag) ~= 'string' then
    redis.call('LPUSH', KEYS[3], item)
    redis.call('LTRIM', KEYS[3], 0, 99)
    return {false, 0, someone_passed}
  end
  redis.call('ZADD', KEYS[1], now_text, tag)
  redis.call('HSET', KEYS[2], tag, '[' .. item .. ', "", "' .. queue .. '"]')
  return {item, queue, best_lane}
end

local wait = looked_at >= MOST and 0 or 60000
for lane = 1, lanes do
  local next_up = redis.call('ZRANGEBYSCORE', KEYS[3 + lane], '(' .. now_text, '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
  if #next_up > 0 then wait = math.min(wait, math.ceil((tonumber(next_up[2]) - now) * 1000)) end
end
return {false, wait, someone_passed}
