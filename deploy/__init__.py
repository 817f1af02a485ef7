"""What it takes to run Syncfleet somewhere, and the sandbox to run it against."""
