"""``python -m kdlib``, and what ``torchrun -m kdlib`` starts."""

from kdbook.commands import main

if __name__ == "__main__":
    main()
