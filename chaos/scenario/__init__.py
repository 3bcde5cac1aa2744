"""What to drill, decided before anything is sent: ``expand`` lists scenarios, ``plan`` plans."""
