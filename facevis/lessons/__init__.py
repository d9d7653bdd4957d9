"""The lecture: what it says, what it shows, and how it is taken away."""
