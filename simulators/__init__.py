"""What does a design cost, and how well does it learn?

Each simulator lives behind the same border, :mod:`simulators.protocol`, and knows nothing of searches.
"""
