-- A customer changes its lane: its place in the line goes with it; its queue keeps its name and everything in it.
-- KEYS[1] old hot set   KEYS[2] new hot set   ARGV[1] customer   returns 1 if it was in the old one
local score = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not score then return 0 end
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('ZADD', KEYS[2], 'NX', score, ARGV[1])
return 1
