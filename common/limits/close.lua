-- The system said to wait: nobody asks it before then, not even with a probe.
--
-- KEYS      as the first and the last of acquire.lua
-- ARGV      ms from now
local key, wait = KEYS[1], tonumber(ARGV[1])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local mark = redis.call('GET', KEYS[2]) or ''
-- Farther back than servers are slewed while a request is under way, as in acquire.lua.
local STEPPED_BACK_MS = 500
local state = redis.call('HMGET', key, 'told_until', 'told_wait', 'told_step', 'latest')
-- What was noted by another clock, though nobody may have said yet that it was set: by this one it may never end.
local is_others = state[3] and (state[3] ~= mark or now < tonumber(state[4] or '0') - STEPPED_BACK_MS)
-- Nobody knows how much of such a wait is over.
if is_others then wait = math.max(wait, tonumber(state[2])) end
if not state[1] or is_others or now + wait > tonumber(state[1]) then
  redis.call('HSET', key, 'told_until', now + wait, 'told_wait', wait, 'told_step', mark)
end
return 0
