"""`/admin`: what a test does to the sandbox, and what it reads back; open to whoever reaches the port."""
