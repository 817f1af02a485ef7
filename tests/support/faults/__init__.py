"""What breaks the world around the fleet: the network, the clock, the disk. Nothing of it is in the product.

ways       what a connection may do to its bytes     links      one connection through the proxy
routes     one upstream: its port, its ways, counts  proxy      the thread that carries them all
endpoints  PostgreSQL, Redis and the APIs, given the proxy's ports
clocks     a fleet's process whose clock is stepped  stepped    the entry point of such a process
disks      a file system of some megabytes, for PostgreSQL or Redis; filled and freed
"""
