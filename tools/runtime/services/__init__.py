"""Model servers that take turns on the device with the studio's own models."""
