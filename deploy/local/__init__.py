"""The fleet on one machine: real servers and real processes, nothing to install beside the Python packages.

For trying Syncfleet out, for the tests, and for a small site. It may start processes and write below one state
directory; it imports nothing of the pipeline, and the pipeline imports nothing of it.

| file | holds |
|---|---|
| `servers` | `embedded_servers`: PostgreSQL and Redis for as long as a `with` block lasts |
| `postgres`, `redis` | how each of the two is found, prepared and recognised |
| `topology` | the fleet's own processes as command lines |
| `processes`, `child`, `guard` | keep processes running, and leave none behind |
| `signals` | SIGINT and SIGTERM end a `with` block instead of the interpreter |
| `endpoints` | what runs where, for a `fleet` command in another shell |
| `lock`, `ports`, `privileges`, `errors` | one fleet per directory; stable ports; never root; the one exception |
"""
