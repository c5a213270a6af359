"""Pictures of modules, their hierarchy, and the tests of them."""
