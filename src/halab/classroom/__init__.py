"""A whole class: what was handed in, graded side by side, as a heat map and a gradebook."""
