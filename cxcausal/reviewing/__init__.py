"""What is done around runs: registering, auditing and sending, wired from the plan, the record and the data edge."""
