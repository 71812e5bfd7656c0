"""What is read from a desk's own files: columns by name, times, prices."""
