"""Where does it run? Launch templates for Ray; on one machine :mod:`explorer.evaluator` starts Ray by itself."""
