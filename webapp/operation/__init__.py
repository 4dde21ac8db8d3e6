"""What whoever runs a site needs: upgrades, backups, checks of what is stored, health and metrics."""
