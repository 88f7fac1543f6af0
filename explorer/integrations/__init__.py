"""The explorer's strategies inside other libraries; nothing here is imported unless it is asked for."""
