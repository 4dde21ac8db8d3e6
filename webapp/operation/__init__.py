"""Tools for administrators: upgrades, backups, checks of stored data, health and metrics."""
