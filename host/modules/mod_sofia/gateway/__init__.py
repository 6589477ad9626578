"""Gateways: our registrations and subscriptions at others."""
