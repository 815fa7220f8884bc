"""Pictures as inline SVG: pure functions from numbers to nodes, without style attributes, scripts or fonts."""
