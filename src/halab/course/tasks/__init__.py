"""What each exercise gives a learner and judges them by: one module a card."""
