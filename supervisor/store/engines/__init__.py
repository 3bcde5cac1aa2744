"""What is kept of engines: benchmarks, and swaps."""
