"""Moving pictures: shots, and the film they are joined to."""
