"""Whom to contact: rules learned in turns and valued on customers that they did not learn from."""
