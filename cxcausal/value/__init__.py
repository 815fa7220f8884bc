"""Money: what each arm is worth against the control, from one composite amount per customer."""
