"""Protecting data: `backup/` keeps copies of collections, `drill/` rehearses the loss of a whole cluster."""
