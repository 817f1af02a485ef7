-- The system said to wait: nobody asks it before then, not even with a probe.
--
-- KEYS      as the first and the last of acquire.lua
-- ARGV      ms from now
local key, wait = KEYS[1], tonumber(ARGV[1])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local mark = redis.call('GET', KEYS[2]) or ''
local state = redis.call('HMGET', key, 'told_until', 'told_wait', 'told_step')
-- A wait that was noted by another clock: nobody knows how much of it is over.
if state[3] and state[3] ~= mark then wait = math.max(wait, tonumber(state[2])) end
if not state[1] or state[3] ~= mark or now + wait > tonumber(state[1]) then
  redis.call('HSET', key, 'told_until', now + wait, 'told_wait', wait, 'told_step', mark)
end
return 0
