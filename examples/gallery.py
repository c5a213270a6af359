"""Make the pictures of the README and the docs anew: python examples/gallery.py [FOLDER] [--mnist FOLDER]."""

from dataclasses import replace

import calibration
import choosing_lambda
import figure3_formulas
import figure4_two_moons
import figure5_modular_addition
import figure6_permutations
import figure7_in_context
import figure8_mnist
import film
import recurrent_net
from _options import Options

from bimt_train import InputError

# Module and how many seeds the best is taken of.
FIGURES = (
    (film, 8),
    (figure3_formulas, 8),
    (figure4_two_moons, 4),
    (figure5_modular_addition, 2),
    (figure6_permutations, 2),
    (figure7_in_context, 1),
    (figure8_mnist, 1),
    (recurrent_net, 4),
    (calibration, 20),
    (choosing_lambda, 16),
)


def main() -> None:
    options = Options.read(__doc__, seeds=0)
    for figure, seeds in FIGURES:
        try:
            figure.draw(replace(options, seeds=options.seeds or seeds))
        except InputError as error:
            print(f"{figure.__name__} is left out: {error}")


if __name__ == "__main__":
    main()
