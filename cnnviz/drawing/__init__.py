"""Arrays in, images out: mosaics of maps, charts and diagrams. Nothing here sees a model."""
