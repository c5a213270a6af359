"""From a file, a network or its rows to a report or an audit, stage by stage."""
