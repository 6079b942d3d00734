// SPDX-License-Identifier: MIT
// Something for gofmt.
package main
import "fmt"
func main() { fmt.Println( 1 ) }
