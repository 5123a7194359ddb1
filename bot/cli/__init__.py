"""The parts of the `dripline` command that read neither file, environment nor clock."""
