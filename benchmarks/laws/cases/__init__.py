"""The equations and tables that searches are measured on."""
