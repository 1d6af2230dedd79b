"""What each exercise gives a learner (`variant.py`) and judges them by (`checks.py`): one folder a card."""
