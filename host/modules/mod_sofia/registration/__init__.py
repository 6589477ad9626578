"""Who is reached where, and who may: the registrar, its store, and digest authentication."""
