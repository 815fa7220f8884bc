"""What the aggregate road costs beside its peers, measured in the same run; ratios are what counts."""
