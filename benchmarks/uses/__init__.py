"""What circuits, formulas and modules are worth once they are put to use."""
