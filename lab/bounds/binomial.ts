/** Returns the probabilities of 0 … `trials` successes, each with probability `success`. */
export function binomial(trials: number, success: number): Float64Array {
  const shares = new Float64Array(trials + 1);
  shares[0] = 1;
  for (let trial = 1; trial <= trials; trial++) {
    for (let count = trial; count > 0; count--) {
      shares[count] = shares[count]! * (1 - success) + shares[count - 1]! * success;
    }
    shares[0]! *= 1 - success;
  }
  return shares;
}
