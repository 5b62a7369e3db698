"""Come here for what Postgres is asked: all the SQL, each statement beside the method that binds it."""
