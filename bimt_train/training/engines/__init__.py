"""How steps are computed: by torch for every model, or by compiled code for stacks of small layered networks."""
