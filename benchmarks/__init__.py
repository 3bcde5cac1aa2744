"""What speed and memory are, measured; nothing is judged. docs/benchmarks.md explains."""
