"""What it costs: measurements, not tests. They print figures beside their targets and never fail on a slow machine."""
