"""Pictures of studies, made with plotly; those for papers also as vector graphics, made with Matplotlib.

Each module is one picture: what it shows as plain numbers, then how it is drawn.
"""
