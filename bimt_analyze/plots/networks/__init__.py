"""Pictures of networks and their neurons."""
