"""``python -m kdlib``, and what ``torchrun -m kdlib`` starts."""

from kdlib.cli import main

if __name__ == "__main__":
    main()
