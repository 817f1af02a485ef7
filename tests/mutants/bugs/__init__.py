"""The bugs: a module for each promise of the design, in its order. Data, and nothing else."""
