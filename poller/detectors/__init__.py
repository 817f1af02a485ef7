"""Detectors: what yields changes. They differ in how they read the source, and in nothing else."""
