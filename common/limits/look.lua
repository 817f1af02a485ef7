-- Compare clocks without taking anything.
--
-- KEYS[1]  the mark of acquire.lua
-- ARGV     "since <mark>" if the caller saw this clock stepped since that mark, else ""
-- returns  {this clock in ms, mark}
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local mark = redis.call('GET', KEYS[1]) or ''
if ARGV[1] == 'since ' .. mark then
  mark = string.format('%.0f', now)
  redis.call('SET', KEYS[1], mark)
end
return {now, mark}
