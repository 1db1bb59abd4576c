"""Evidence on CIFAR: blocks of trainings, planned before they are run (book/results/plan.md)."""
