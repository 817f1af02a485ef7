"""What tests above unit level share: real servers, a fleet in this process, a fleet in real processes."""
