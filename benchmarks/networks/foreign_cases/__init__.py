"""Files of weights as people save them, made for the benchmark and the tests of readers."""
